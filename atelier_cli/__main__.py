"""`python -m atelier_cli`, the same as `atelier`."""

from atelier_cli.app import main

main()
