"""Run the command as `python -m deepdebug`."""

from deepdebug.cli.main import main

if __name__ == "__main__":
    main()
