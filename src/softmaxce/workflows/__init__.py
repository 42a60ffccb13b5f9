"""What each command does, as plain functions: paths and options in, a frozen result out."""
