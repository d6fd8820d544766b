"""The parts of the command line that cli.py puts together; they parse, call and print."""
