//! spike
use crate::boundary::{Boundary, Watch};
use crate::project::Project;
use crate::rig::{Machine, Rig};

#[test]
fn a_run_is_held_at_each_boundary() {
    let rig = Rig::start(&[Machine::plain("plain"), Machine::systemd("booted")]);
    for name in ["plain", "booted"] {
        let machine = rig.machine(name);
        let project = Project::new(&rig).machine(machine, "root", "", "");
        for step in 0..3 {
            for boundary in Boundary::ALL {
                machine.check("rm -rf /srv/held /var/lib/fleetprov");
                project.declare(
                    name,
                    "- directory: {path: /srv/held}\n- file: {path: /srv/held/one, content: one}\n\
                     - file: {path: /srv/held/two, content: two}",
                );
                let began = std::time::Instant::now();
                let watch = Watch::new(machine, step, boundary);
                let mut running = project.start("apply", &["--yes"]);
                let held = watch.wait(|| running.is_running()).expect("held");
                std::thread::sleep(std::time::Duration::from_millis(100));
                let progress = std::fs::read_to_string(held.folder.join("progress")).unwrap();
                let last = progress.lines().last().unwrap();
                let word = if boundary == Boundary::Noted { "changed" } else { "started" };
                assert_eq!(last, format!("{step} {word}"));
                let is_made = ["/srv/held", "/srv/held/one", "/srv/held/two"].iter().filter(|path| machine.root().join(&path[1..]).exists()).count();
                assert_eq!(is_made, if boundary == Boundary::Begun { step } else { step + 1 }, "{boundary:?}");
                eprintln!("{name} {step} {boundary:?} {:?} {:?}", began.elapsed(), held);
                drop(watch);
                running.finish().expect(0);
            }
        }
    }
}
