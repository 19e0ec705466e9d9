//! Who is let in, and whom we trust.

use crate::ssh::server::{Server, finish};

#[tokio::test]
async fn a_key_file_opens_the_door() {
    let server = Server::start();
    let mut session = server.log_in().await;
    let channel = session.start("echo out; echo err >&2; exit 7").await.expect("start");
    let outcome = finish(channel).await;
    assert_eq!(outcome.stdout, b"out\n");
    assert_eq!(outcome.stderr, b"err\n");
    assert_eq!(outcome.exit, Some(Some(7)));
    assert!(outcome.lost.is_none(), "{:?}", outcome.lost);
    session.close().await;
}
