//! Logs in with a password, where there is no key yet.

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::{MethodKind, MethodSet};

use super::guardian::Guardian;
use super::login::Attempts;
use crate::model::Secret;
use crate::transport::error::TransportError;

/// So many rounds of questions are answered: the password, and what is said after it.
const ROUNDS: usize = 4;

/// Gives the password once, by the method `password` or else by `keyboard-interactive` (RFC 4252, RFC 4256),
/// by which PAM asks for it on many servers.
pub(super) async fn log_in(
    handle: &mut Handle<Guardian>,
    user: &str,
    password: &Secret,
    attempts: &mut Attempts,
) -> Result<(), TransportError> {
    attempts.offer("a password".to_owned());
    let Ok(text) = std::str::from_utf8(password.expose()) else {
        attempts.offer("(it is not UTF-8 text, as SSH wants it)".to_owned());
        return Err(attempts.failure());
    };
    // The server says by which methods one may go on only when one has been refused.
    let offered = match handle.authenticate_none(user).await {
        Ok(AuthResult::Success) => return Ok(()),
        Ok(AuthResult::Failure { remaining_methods, .. }) => remaining_methods,
        Err(error) => return Err(attempts.broken(&error).await),
    };
    if offered.contains(&MethodKind::Password) {
        return match handle.authenticate_password(user, text).await {
            Ok(AuthResult::Success) => Ok(()),
            Ok(AuthResult::Failure { remaining_methods, partial_success }) => {
                refused(attempts, &remaining_methods, partial_success);
                Err(attempts.failure())
            }
            Err(error) => Err(attempts.broken(&error).await),
        };
    }
    if offered.contains(&MethodKind::KeyboardInteractive) {
        return answer(handle, user, text, attempts).await;
    }
    attempts.offer("the server takes no passwords".to_owned());
    Err(attempts.failure())
}

/// Answers the first hidden question with the password, and no other.
async fn answer(
    handle: &mut Handle<Guardian>,
    user: &str,
    password: &str,
    attempts: &mut Attempts,
) -> Result<(), TransportError> {
    let mut said = match handle.authenticate_keyboard_interactive_start(user, None).await {
        Ok(said) => said,
        Err(error) => return Err(attempts.broken(&error).await),
    };
    let mut is_given = false;
    for _ in 0..ROUNDS {
        let answers = match said {
            KeyboardInteractiveAuthResponse::Success => return Ok(()),
            KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                refused(attempts, &remaining_methods, partial_success);
                return Err(attempts.failure());
            }
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } if prompts.is_empty() => Vec::new(),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => match prompts.as_slice() {
                [one] if !one.echo && !is_given => {
                    is_given = true;
                    vec![password.to_owned()]
                }
                _ => {
                    attempts.offer("the server asks for more than a password".to_owned());
                    return Err(attempts.failure());
                }
            },
        };
        said = match handle.authenticate_keyboard_interactive_respond(answers).await {
            Ok(said) => said,
            Err(error) => return Err(attempts.broken(&error).await),
        };
    }
    attempts.offer("the server does not stop asking".to_owned());
    Err(attempts.failure())
}

fn refused(attempts: &mut Attempts, remaining: &MethodSet, partial: bool) {
    if partial {
        attempts.refused(remaining, partial);
    }
}
