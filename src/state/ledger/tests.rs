//! What is owned, case by case.
