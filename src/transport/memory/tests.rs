use super::*;
use crate::model::{MachineName, Method, Privilege};

fn target(name: &str) -> Target {
    Target { machine: MachineName::new(name).unwrap(), method: Method::Local, privilege: Privilege::Login }
}

async fn read_all(mut output: mpsc::Receiver<Output>) -> Vec<Output> {
    let mut all = Vec::new();
    while let Some(message) = output.recv().await {
        all.push(message);
    }
    all
}

#[tokio::test]
async fn a_script_answers() {
    let connector = MemoryConnector::new().script("nas", |mut conversation| async move {
        assert_eq!(conversation.command(), "add");
        conversation.stdout("ready ").await;
        let input = conversation.receive_all().await;
        conversation.stdout(input).await;
        conversation.stderr("done").await;
        conversation.exit(3).await;
    });
    let mut session = connector.connect(&target("nas")).await.unwrap();
    let Channel { input, mut output } = session.start("add").await.unwrap();
    assert!(matches!(output.recv().await, Some(Output::Stdout(bytes)) if bytes == b"ready "));
    input.send(b"one".to_vec()).await.unwrap();
    drop(input);
    let rest = read_all(output).await;
    let [Output::Stdout(out), Output::Stderr(errors), Output::Exit(Some(3))] = rest.as_slice() else {
        panic!("{rest:?}")
    };
    assert_eq!((out.as_slice(), errors.as_slice()), (b"one".as_slice(), b"done".as_slice()));
    assert_eq!(session.tally(), Tally { commands: 1, round_trips: 2, sent: 6, received: 13 });
    session.close().await;
}

#[tokio::test]
async fn a_script_may_fail_in_every_way() {
    let connector = MemoryConnector::new().script("nas", |conversation| async move {
        match conversation.command() {
            "killed" => conversation.killed().await,
            "lost" => conversation.lose("the cable").await,
            "forgotten" => drop(conversation),
            other => panic!("unexpected command {other}"),
        }
    });
    let mut session = connector.connect(&target("nas")).await.unwrap();
    for (command, expected) in
        [("killed", "Exit(None)"), ("lost", "the cable"), ("forgotten", "without an exit status")]
    {
        let Channel { input, output } = session.start(command).await.unwrap();
        let all = read_all(output).await;
        assert_eq!(all.len(), 1, "{command}: {all:?}");
        assert!(format!("{all:?}").contains(expected), "{command}: {all:?}");
        drop(input);
    }
    session.close().await;
}

#[tokio::test]
async fn logins_may_fail() {
    let error = TransportError::Unreachable { host: "nas:22".to_owned(), reason: "off".to_owned() };
    let connector = MemoryConnector::new().refuse("nas", error);
    for (name, expected) in [("nas", "connect to nas:22: off"), ("other", "no such machine")] {
        let refused = connector.connect(&target(name)).await.err().unwrap();
        assert!(refused.to_string().contains(expected), "{refused}");
    }
}

#[tokio::test]
async fn a_shell_runs_for_real_and_is_counted() {
    let connector = MemoryConnector::new().shell("here").command_limit(100);
    let mut session = connector.connect(&target("here")).await.unwrap();
    assert_eq!(session.command_limit(), 100);
    assert!(session.start(&"x".repeat(101)).await.is_err());
    let Channel { input, output } = session.start("read word; echo got $word").await.unwrap();
    input.send(b"it\n".to_vec()).await.unwrap();
    let all = read_all(output).await;
    let said = |output: &Output| matches!(output, Output::Stdout(bytes) if bytes == b"got it\n");
    assert!(all.iter().any(said), "{all:?}");
    assert_eq!(session.tally(), Tally { commands: 1, round_trips: 1, sent: 28, received: 7 });
    session.close().await;
}

#[tokio::test]
async fn closing_ends_a_script_that_waits() {
    let connector = MemoryConnector::new().script("nas", |mut conversation| async move {
        while conversation.receive().await.is_some() {}
        conversation.exit(0).await;
    });
    let mut session = connector.connect(&target("nas")).await.unwrap();
    let mut channel = session.start("wait").await.unwrap();
    session.close().await;
    assert!(matches!(channel.output.recv().await, Some(Output::Lost(_))));
}
