//! Arguments in, exit code out.

fn main() -> std::process::ExitCode {
    fleetprov::cli::main()
}
