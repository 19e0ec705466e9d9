//! What leaves the inventory leaves the machine: everything that came with it, nothing that was there,
//! and in an order in which nothing is pulled from under something else.

use crate::project::Project;
use crate::rig::{Machine, Rig, RunningMachine};

/// A key nobody has the other half of.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6w5RvKVPXJlJH1kKmmqgbP7ZrZ0vVuP4ozf5w5n5kR laptop";

const EVERYTHING: &str = r##"
- directory: {path: /srv/app/data/deep, mode: '0750', owner: alice}
- directory: {path: /srv/kept, mode: '0755'}
- file: {path: /srv/app/data/deep/conf, content: "a: 1\n", mode: '0640', owner: alice}
- file: {path: /srv/token, secret: token}
- file: {path: /srv/old.conf, content: "new\n"}
- link: {path: /srv/current, target: /srv/app}
- block: {path: /etc/hosts, id: lab, content: "192.0.2.1 alpha\n"}
- block: {path: /srv/notes, id: one, content: "first\n"}
- block: {path: /srv/notes, id: two, content: "second\n"}
- json-keys: {path: /srv/settings.json, values: {theme: dark, /editor/tabs: 4, /editor/font/size: 9}}
- json-keys: {path: /srv/new.json, values: {a: 1, /b/c: 2}}
- ini-keys: {path: /srv/app.ini, sections: {main: {level: high, more: x}, fresh: {a: b}}}
- ini-keys: {path: /srv/new.ini, sections: {main: {level: high}}}
- ini-keys: {path: /srv/secret.ini, sections: {one: {token: {secret: token}, plain: x}, two: {token: {secret: token}}}}
- ini-keys: {path: /srv/new-secret.ini, sections: {one: {token: {secret: token}}}}
- schedule: {name: nightly, at: "10 3 * * *", catch-up: true, script: "#!/bin/sh\ntrue\n"}
- crontab-entry: {id: job, user: root, lines: ["5 4 * * * /bin/true"]}
- crontab-entry: {id: job, user: alice, lines: ["5 4 * * * /bin/true"]}
- file: {path: /etc/systemd/system/lab.service, content: "[Service]\nExecStart=/bin/sleep 1000\n[Install]\nWantedBy=multi-user.target\n"}
- unit: {name: lab.service, enabled: true, active: true}
- file: {path: /etc/systemd/system/cron.service.d/lab.conf, content: "[Service]\nNice=5\n"}
  after: [directory /etc/systemd/system/cron.service.d]
- directory: {path: /etc/systemd/system/cron.service.d}
- service: {name: cron}
  follows: [file /etc/systemd/system/cron.service.d/lab.conf]
- package: lab-base
- package: lab-extra
- checkout: {path: /srv/checkout, remote: /srv/git/lab.git, owner: root}
- authorized-key: {user: alice, key: "KEY", options: 'restrict,command="/bin/true"'}
- authorized-key: {user: doer, id: laptop, key: "KEY"}
- authorized-key: {user: fresh, key: "KEY"}
"##;

/// What was there before, for every kind that can meet something of others.
const BEFORE: &str = r##"
set -e
mkdir -p /srv/kept /srv/git
echo old >/srv/old.conf
printf '{\n  // the other'"'"'s\n  "other": [1, 2],\n  "theme": "none",\n  "editor": {"font": {}}\n}\n' >/srv/settings.json
printf '; the other'"'"'s\n[main]\nother = 1\nlevel = none\n\n[else]\nlevel = 2\n' >/srv/app.ini
printf '[one]\nother = 1\n\n[three]\nx = y\n' >/srv/secret.ini
chmod 600 /srv/secret.ini
echo '# the other line
0 0 1 1 * /bin/false' | crontab -
useradd --create-home fresh
git init -q --bare -b main /srv/git/lab.git
git clone -q /srv/git/lab.git /tmp/work 2>/dev/null
cd /tmp/work
git config user.email a@example.com
git config user.name a
git checkout -q -b main
echo hello >hello
git add hello
git commit -q -m hello
git push -q origin main
mkdir -p /opt/repo
cd /opt/repo
: >Packages
for name in lab-base lab-extra; do
	mkdir -p /tmp/deb/$name/DEBIAN /tmp/deb/$name/usr/share/$name
	echo data >/tmp/deb/$name/usr/share/$name/data
	needs=; [ $name = lab-base ] || needs='Depends: lab-base'
	printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: a <a@example.com>\nDescription: lab\n' $name >/tmp/deb/$name/DEBIAN/control
	[ -z "$needs" ] || echo "$needs" >>/tmp/deb/$name/DEBIAN/control
	dpkg-deb -b --root-owner-group /tmp/deb/$name /opt/repo/$name.deb >/dev/null
	{ cat /tmp/deb/$name/DEBIAN/control
	echo "Filename: ./$name.deb"
	echo "Size: $(stat -c %s $name.deb)"
	echo "SHA256: $(sha256sum <$name.deb | cut -d ' ' -f 1)"
	echo; } >>Packages
done
rm -f /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:/opt/repo ./' >/etc/apt/sources.list
apt-get -q update >/dev/null 2>&1
"##;

/// Everything below the folders that a plan can touch: type, mode, owner, content.
fn state(machine: &RunningMachine) -> String {
    machine.check(
        "find /etc /srv /home /root /opt /usr/local /usr/share/lab* /var/spool/cron /var/lib/systemd/timers -xdev \
         ! -path '/root/.cache*' ! -path '/srv/checkout/.git/*' ! -path /etc/ld.so.cache \
         -printf '%y %m %u:%g %p %l\\n' 2>/dev/null | sort
         find /etc /srv /home /root -xdev -type f ! -path '/srv/checkout/.git/*' \
         ! -path /etc/ld.so.cache -exec sha256sum {} + | sort -k 2
         crontab -l; crontab -u alice -l
         systemctl list-units --all --no-legend --plain 'fleetprov*' 'lab*' | grep -v ' not-found '
         systemctl show -p NeedDaemonReload,Nice,ActiveState,UnitFileState cron.service
         dpkg-query -W -f '${Package} ${db:Status-Status}\\n' | grep lab; :",
    )
}

/// The lines of one text that the other does not have.
fn more<'a>(one: &'a str, other: &str) -> Vec<&'a str> {
    let others: std::collections::BTreeSet<&str> = other.lines().collect();
    one.lines().filter(|line| !others.contains(line)).collect()
}

fn everything() -> String {
    EVERYTHING.replace("KEY", KEY)
}

#[test]
fn what_leaves_the_inventory_leaves_the_machine_and_nothing_else_does() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let droplet = rig.machine("droplet");
    droplet.check(BEFORE);
    let project = Project::new(&rig).machine(droplet, "root", "", "  []");
    project.secret("token", b"the marker secret");
    let before = state(droplet);

    project.declare("droplet", &everything());
    project.converge();
    let between = state(droplet);
    assert!(more(&between, &before).len() > 40, "too little happened");

    project.declare("droplet", "  []");
    let ran = project.plan(&[]);
    ran.expect(2).hides("the marker secret");
    let plan = ran.stdout.clone();
    project.apply(&["--allow-prune"]).expect(0).hides("the marker secret");
    project.plan(&[]).expect(0);
    let after = state(droplet);

    // What was there before and was changed is let go of as it is: a file, a JSON key, an INI key, units.
    let told = |line: &&&str| {
        !["/srv/old.conf", "/srv/settings.json", "/srv/app.ini"].iter().any(|path| line.contains(path))
    };
    let new: Vec<_> = more(&after, &before).iter().filter(told).copied().collect::<Vec<_>>();
    let lost: Vec<_> = more(&before, &after).iter().filter(told).copied().collect::<Vec<_>>();
    assert!(new.is_empty() && lost.is_empty(), "left behind: {new:#?}\nlost: {lost:#?}\n{plan}");
    assert_eq!(droplet.read("/srv/old.conf"), b"new\n");
    assert_eq!(
        String::from_utf8_lossy(&droplet.read("/srv/settings.json")),
        "{\n  // the other's\n  \"other\": [1, 2],\n  \"theme\": \"dark\",\n  \"editor\": {\"font\": {}}\n}\n"
    );
    assert_eq!(
        String::from_utf8_lossy(&droplet.read("/srv/app.ini")),
        "; the other's\n[main]\nother = 1\nlevel = high\n\n[else]\nlevel = 2\n"
    );
}

/// Two sets of each kind of part, and what is left of them under other names.
const BEFORE_RENAMING: &str = r#"
- json-keys: {path: /srv/a.json, id: old, values: {a: 1, b: 2, /c/d: 3, /c/e: 4}}
- ini-keys: {path: /srv/a.ini, id: old, sections: {one: {x: 1, y: 2}, two: {z: 3}}}
- ini-keys: {path: /srv/s.ini, id: old, sections: {one: {x: {secret: token}, y: 2}, two: {z: {secret: token}}}}
- ini-keys: {path: /srv/t.ini, sections: {one: {x: {secret: token}, y: 2}, two: {z: {secret: token}}}}
- block: {path: /srv/a.conf, id: same, content: "x\n"}
- schedule: {name: old, at: "10 3 * * *", command: /bin/true}
- authorized-key: {user: alice, id: laptop, key: "KEY"}
- file: {path: /srv/becomes, content: "a file\n"}
- directory: {path: /srv/turns}
- link: {path: /srv/one, target: x}
"#;

const AFTER_RENAMING: &str = r#"
- json-keys: {path: /srv/a.json, id: new, values: {a: 1, /c/d: 3}}
- ini-keys: {path: /srv/a.ini, id: new, sections: {one: {x: 1}}}
- ini-keys: {path: /srv/s.ini, id: new, sections: {one: {x: {secret: token}}}}
- ini-keys: {path: /srv/t.ini, sections: {one: {x: {secret: token}}}}
- block: {path: /srv/a.conf, id: same, comment: "//", content: "x\n"}
- schedule: {name: new, at: "10 3 * * *", command: /bin/true}
- authorized-key: {user: alice, id: laptop, key: "OTHER"}
- block: {path: /srv/becomes, id: part, content: "a part\n"}
- link: {path: /srv/turns, target: becomes}
- link: {path: /srv/two, target: x}
"#;

#[test]
fn what_gets_another_name_leaves_no_twin_and_is_not_lost() {
    let rig = Rig::start(&[Machine::systemd("droplet")]);
    let droplet = rig.machine("droplet");
    let other = KEY.replace("5kR laptop", "5kQ laptop");
    let fill = |text: &str| text.replace("KEY", KEY).replace("OTHER", &other);
    let project = Project::new(&rig).machine(droplet, "root", "", &fill(BEFORE_RENAMING));
    project.secret("token", b"the marker secret");
    let keys = droplet.check("cat /home/alice/.ssh/authorized_keys");
    project.converge();
    project.declare("droplet", &fill(AFTER_RENAMING));
    project.apply(&["--allow-prune"]).expect(0);
    project.plan(&[]).expect(0);

    let read = |path: &str| String::from_utf8(droplet.read(path)).unwrap();
    assert_eq!(read("/srv/a.json"), "{\n  \"a\": 1,\n  \"c\": {\n    \"d\": 3\n  }\n}\n");
    assert_eq!(read("/srv/a.ini"), "[one]\nx = 1\n");
    for path in ["/srv/s.ini", "/srv/t.ini"] {
        assert_eq!(read(path), "[one]\nx = the marker secret\n", "{path}");
    }
    assert_eq!(
        read("/srv/a.conf"),
        "// BEGIN fleetprov same (managed: edits here are overwritten)\nx\n// END fleetprov same\n"
    );
    assert_eq!(droplet.check("systemctl list-timers --all --no-legend | grep -c fleetprov-new"), "1");
    assert_eq!(droplet.check("ls /etc/systemd/system | grep -c fleetprov-old; true"), "0");
    assert_eq!(droplet.check("systemctl list-units --all --no-legend 'fleetprov-old*' | wc -l"), "0");
    assert_eq!(read("/home/alice/.ssh/authorized_keys"), format!("{keys}\n{other}\n"));
    assert!(read("/srv/becomes").contains("a part") && !read("/srv/becomes").contains("a file"));
    assert_eq!(droplet.check("readlink /srv/turns /srv/two; ls -d /srv/one 2>/dev/null; true"), "becomes\nx");

    // And all of it goes, what was handed on from set to set included.
    project.declare("droplet", "  []");
    project.apply(&["--allow-prune"]).expect(0);
    project.plan(&[]).expect(0);
    assert_eq!(droplet.check("ls -A /srv"), "");
    assert_eq!(read("/home/alice/.ssh/authorized_keys"), format!("{keys}\n"));
}
