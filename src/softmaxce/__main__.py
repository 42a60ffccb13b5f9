"""`python -m softmaxce`."""

from softmaxce.cli import main

if __name__ == "__main__":
    main()
