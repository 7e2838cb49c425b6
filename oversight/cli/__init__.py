"""The command line: commands, options, progress, and the exit codes. It may import the rooms from
`core` to `testing`."""
