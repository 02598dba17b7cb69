"""The command-line application that the commands of this package hang themselves on."""

from cyclopts import App, Group, Parameter

from learnet import __version__

app = App(
    name="learnet",
    version=__version__,
    suppress_keyboard_interrupt=False,  # `main` says what Ctrl-C leaves
    help="Name the micro-expression in a video of a face: dynamic images, LEARNet, and studies that cannot leak.\n\n"
    "A study goes: audit a database, prepare it, study it, report. `learnet demo OUT` does all of it on synthetic faces.",
)
DATA = Group("Data", sort_key=1)
STUDIES = Group("Studies", sort_key=2)
VIDEO = Group("Your own video", sort_key=3)
Flat = Parameter(name="*")  # a settings record gives one option per field
