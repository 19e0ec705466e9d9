"""The 32 resources of roles/site.yaml as 32 operations of pyinfra. It has none for keys of JSON and INI
files; a regular expression for a line is the quickest it can do there."""

from pyinfra.operations import apt, crontab, files, systemd

for package in ["cron", "curl", "rsync"]:
    apt.packages(packages=[package])

for path, mode in [
    ("/etc/site", "755"),
    ("/srv/sites", "755"),
    ("/srv/sites/example", "755"),
    ("/srv/sites/example/public", "755"),
    ("/srv/sites/example/releases", "750"),
    ("/var/log/sites", "750"),
]:
    files.directory(path=path, user="root", mode=mode)

for source, path, mode in [
    ("site.conf", "/etc/site/site.conf", "644"),
    ("mime.types", "/etc/site/mime.types", "644"),
    ("headers.conf", "/etc/site/headers.conf", "644"),
    ("tls.conf", "/etc/site/tls.conf", "640"),
    ("upstream.conf", "/etc/site/upstream.conf", "644"),
    ("index.html", "/srv/sites/example/public/index.html", "644"),
    ("404.html", "/srv/sites/example/public/404.html", "644"),
    ("robots.txt", "/srv/sites/example/public/robots.txt", "644"),
    ("sites.logrotate", "/etc/logrotate.d/sites", "644"),
    ("web.sysctl", "/etc/sysctl.d/60-web.conf", "644"),
    ("web.limits", "/etc/security/limits.d/60-web.conf", "644"),
    ("site-report", "/usr/local/sbin/site-report", "755"),
]:
    files.put(src=f"files/{source}", dest=path, user="root", mode=mode)
files.link(path="/srv/sites/example/current", target="/srv/sites/example/public", user="root")

for path, lines in [
    ("/etc/hosts", ["127.0.0.1 example.test www.example.test", "127.0.0.1 application.example.test"]),
    ("/etc/motd", ["This machine serves example.test."]),
    (
        "/root/.profile",
        ["alias sites='cd /srv/sites'", "alias site-log='tail -n 50 /var/log/sites/example.error.log'"],
    ),
]:
    files.block(path=path, content=lines)

files.line(path="/etc/application/settings.json", line='  "port": .*', replace='  "port": 8001,')
files.line(path="/etc/application/application.ini", line="workers = .*", replace="workers = 4")

crontab.crontab(
    cron_name="site",
    minute="17",
    hour="4",
    command="/usr/bin/find /var/log/sites -name '*.gz' -mtime +90 -delete",
)
for unit in ["site-report.service", "site-report.timer"]:
    files.put(src=f"files/{unit}", dest=f"/etc/systemd/system/{unit}", user="root", mode="644")
systemd.service(service="site-report.timer", running=True, enabled=True)
systemd.service(service="cron.service", running=True, enabled=True)
