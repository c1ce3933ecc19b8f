"""``python -m armlevel`` is the command."""

from armlevel.cli import main

if __name__ == "__main__":
    main()
