"""What `ringpost check` looks at, one file per subject; each yields findings."""
