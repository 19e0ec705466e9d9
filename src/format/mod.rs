//! Formats that machines and people already use: parse, emit, edit. Pure.
