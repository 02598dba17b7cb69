"""`python -m learnet` is the `learnet` command."""

from learnet.cli import main

if __name__ == "__main__":
    main()
