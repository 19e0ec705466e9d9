//! The words every other module speaks: names, paths, platforms, digests, secrets, source text.
