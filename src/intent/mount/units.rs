//! The unit files of mounts.

use super::{Mount, What};
use crate::format::unit::{UnitError, UnitFile, Value};
use crate::model::MachinePath;

/// Seconds a mount may take before systemd gives up on it.
const PATIENCE: u32 = 30;

/// Makes the folder ready for a mount. A mount whose rclone was killed is still in the way, and nothing
/// can be learned of it ("transport endpoint is not connected"); any other mount is left alone.
pub(super) const READY: &str = "test -d \"$1\" || umount -l \"$1\" 2>/dev/null; mkdir -p \"$1\"";

/// `NAME.mount`. `_netdev` makes systemd wait for the network and unmount before it goes
/// (systemd.mount(5)).
pub(super) fn mount(mount: &Mount, credentials: Option<&MachinePath>) -> Result<UnitFile, UnitError> {
    let (what, kind) = match &mount.what {
        What::Sshfs { login, folder } => {
            (format!("{}@{}:{folder}", login.user, bracketed(&login.host)), "fuse.sshfs")
        }
        What::Nfs { host, folder } => (format!("{}:{folder}", bracketed(host)), "nfs"),
        What::Smb { host, share, .. } => (format!("//{host}/{share}"), "cifs"),
        What::Rclone { source, .. } => (source.clone(), "rclone"),
    };
    let options = options(mount, credentials).join(",");
    let install = if mount.automount { None } else { Some(Value::verbatim("remote-fs.target")?) };
    let file = UnitFile::default()
        .with_section("Unit", vec![("Description", Value::text(&format!("{what} on {}", mount.path))?)])
        .with_section(
            "Mount",
            vec![
                ("What", Value::text(&what)?),
                ("Where", Value::path(mount.path.as_str())?),
                ("Type", Value::verbatim(kind)?),
                ("Options", Value::text(&options)?),
                ("TimeoutSec", Value::verbatim(&format!("{PATIENCE}s"))?),
            ],
        );
    Ok(match install {
        Some(target) => file.with_section("Install", vec![("WantedBy", target)]),
        None => file,
    })
}

/// `NAME.automount`.
pub(super) fn automount(mount: &Mount) -> Result<UnitFile, UnitError> {
    let mut automount = vec![("Where", Value::path(mount.path.as_str())?)];
    if let Some(seconds) = mount.idle {
        automount.push(("TimeoutIdleSec", Value::verbatim(&format!("{seconds}s"))?));
    }
    Ok(UnitFile::default()
        .with_section("Unit", vec![("Description", Value::text(&format!("{} on access", mount.path))?)])
        .with_section("Automount", automount)
        .with_section("Install", vec![("WantedBy", Value::verbatim("remote-fs.target")?)]))
}

fn options(mount: &Mount, credentials: Option<&MachinePath>) -> Vec<String> {
    let mut options = vec!["_netdev".to_owned()];
    if mount.read_only {
        options.push("ro".to_owned());
    }
    if let What::Sshfs { login, .. } = &mount.what {
        options.push(format!("IdentityFile={}", login.key));
        options.push(format!("UserKnownHostsFile={}", login.known_hosts));
        let fixed = [
            "IdentitiesOnly=yes",
            "StrictHostKeyChecking=yes",
            "BatchMode=yes",
            "ConnectTimeout=10",
            // A hub that is gone is noticed after 45 seconds, and found again when it is back.
            "ServerAliveInterval=15",
            "ServerAliveCountMax=3",
            "reconnect",
        ];
        options.extend(fixed.map(str::to_owned));
        if login.port != 22 {
            options.push(format!("port={}", login.port));
        }
        if mount.shared {
            options.extend(["allow_other", "default_permissions"].map(str::to_owned));
        }
    }
    if let Some(path) = credentials {
        options.push(format!("credentials={path}"));
    }
    options.extend(mount.options.iter().cloned());
    options
}

/// `fleetprov-mount-NAME.service`. A service has neither HOME nor a configuration by itself, so both
/// the configuration and the cache are given (rclone's page on `mount`).
pub(super) fn rclone_service(
    mount: &Mount,
    name: &str,
    source: &str,
    config: &MachinePath,
) -> Result<UnitFile, UnitError> {
    let path = mount.path.as_str();
    let cache = format!("/var/cache/fleetprov/mounts/{name}");
    let mut arguments = vec![
        "mount",
        source,
        path,
        "--config",
        config.as_str(),
        "--ask-password=false",
        "--cache-dir",
        &cache,
        "--vfs-cache-mode",
        "writes",
        "--contimeout",
        "15s",
    ];
    if mount.read_only {
        arguments.push("--read-only");
    }
    if mount.shared {
        arguments.push("--allow-other");
    }
    arguments.extend(mount.options.iter().map(String::as_str));
    Ok(UnitFile::default()
        .with_section(
            "Unit",
            vec![
                ("Description", Value::text(&format!("{source} on {path}"))?),
                ("Wants", Value::verbatim("network-online.target")?),
                ("After", Value::verbatim("network-online.target")?),
            ],
        )
        .with_section(
            "Service",
            vec![
                ("Type", Value::verbatim("notify")?),
                ("User", Value::verbatim("root")?),
                ("CacheDirectory", Value::verbatim("fleetprov/mounts")?),
                ("ExecStartPre", Value::command("/bin/sh", &["-c", READY, "sh", path])?),
                ("ExecStart", Value::command("/usr/bin/rclone", &arguments)?),
                ("ExecStop", Value::command("/bin/umount", &[path])?),
                ("Restart", Value::verbatim("on-failure")?),
                ("RestartSec", Value::verbatim("30s")?),
                ("TimeoutStartSec", Value::verbatim("60s")?),
                ("TimeoutStopSec", Value::verbatim(&format!("{PATIENCE}s"))?),
            ],
        )
        .with_section("Install", vec![("WantedBy", Value::verbatim("multi-user.target")?)]))
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}
