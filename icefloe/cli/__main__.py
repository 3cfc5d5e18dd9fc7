"""`python -m icefloe.cli` is `icefloe`, where the script may not be on the path."""

from icefloe.cli.main import main

if __name__ == "__main__":
    main()
