"""What somebody may have meant by a name that is not known: by meaning, by spelling, or by resemblance.

Nothing is accepted under another name: settings are written to files and read by other people, who should
find one name for each.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable

OTHER_NAMES: dict[str, tuple[str, ...]] = {
    # databases
    "casme": ("casme1", "casmei"),
    "casme2": ("casmeii",),
    "casme-sq": ("cas(me)^2", "cas(me)2", "casme^2", "casme squared", "casme square"),
    "casme3": ("cas(me)^3", "cas(me)3", "casme^3", "casmeiii"),
    "smic": ("smic-hs", "smic-vis", "smic-nir"),
    "smic-e": ("smic-hs-e", "smic-e-hs", "smic-e-vis", "smic-e-nir", "smic-long"),
    "megc2019": ("megc", "megc19", "composite", "3db", "cde"),
    "folder": ("own", "custom", "clips", "directory", "dir"),
    # networks
    "linear-svm": ("svm", "svc", "linear-svc"),
    "resnet18": ("resnet",),
    "vgg16": ("vgg", "vggnet"),
    "ststnet": ("stst",),
    "off-apexnet": ("off-apex", "offapex"),
    "lbp-top": ("lbp", "histograms"),
    "bi-woof": ("biwoof", "woof"),
    "rcn-a": ("rcn",),
    "majority": ("dummy", "most-frequent", "zeror", "chance"),
    # motion images
    "dynamic": ("dynamic-image", "dynamic-images", "rank-pooling"),
    "flow-tvl1": ("flow", "optical-flow", "tvl1", "tv-l1"),
    "flow-dis": ("dis",),
    "difference": ("diff", "frame-difference"),
    "apex-face": ("apex", "apex-frame"),
    "onset-face": ("onset", "onset-frame"),
    # values of options
    "cuda": ("gpu", "nvidia", "cuda:0"),
    "adamw": ("adam",),
    "loso": ("leave-one-subject-out", "losocv", "subject-independent"),
    "groups": ("kfold", "k-fold", "group-kfold", "stratified-group-kfold", "folds", "n-folds", "n-splits"),
    "lodo": ("leave-one-dataset-out", "leave-one-database-out"),
    "across": ("cross-database", "cross-dataset", "cdme", "hde"),
    "megc-3": ("megc2019", "megc", "megc3"),
    "none": ("no", "off", "false", "null"),
    # settings
    "network": ("model", "net", "arch", "architecture", "backbone", "classifier"),
    "weights": ("model", "checkpoint", "ckpt", "model-path"),
    "protocol": ("cv", "split", "validation", "cross-validation"),
    "classes": ("labels", "scheme", "class-scheme", "num-classes", "n-classes"),
    "epochs": ("epoch", "n-epochs", "num-epochs", "max-epochs", "max-iter", "iterations"),
    "batch-size": ("bs", "batch"),
    "learning-rate": ("lr", "learning-rate-init", "eta"),
    "weight-decay": ("wd", "l2", "alpha"),
    "optimiser": ("optimizer", "optim", "opt", "solver"),
    "schedule": ("scheduler", "lr-scheduler", "lr-schedule"),
    "class-weights": ("class-weight",),
    "augment": ("augmentation", "augmentations", "aug"),
    "init": ("pretrained", "initial-weights", "warm-start", "finetune", "fine-tune", "transfer"),
    "seed": ("random-state", "random-seed", "manual-seed"),
    "seeds": ("n-seeds", "runs", "repeats", "n-repeats"),
    "jobs": ("n-jobs", "workers", "num-workers", "n-workers", "threads", "processes", "cpus"),
    "device": ("gpu", "cuda", "use-gpu", "gpus"),
    "cluster": ("dask",),
    "motion": ("motion-image", "representation", "features"),
    "size": ("image-size", "img-size", "imgsz", "resolution", "px"),
    "fps": ("framerate", "frame-rate", "rate"),
    "stabilise": ("stabilize", "stabilization", "stabilisation"),
    "normalise": ("normalize", "norm", "normalization", "normalisation"),
    "magnify": ("magnification", "evm", "amplify"),
    "face": ("face-detector", "detector"),
    "face-model": ("yunet", "face-detector", "detector"),
    "window-s": ("window", "window-size", "window-length"),
    "overlap": ("stride", "hop"),
    "keep-weights": ("save-weights", "save-models"),
    "out": ("output", "o", "dest"),
    "output": ("out", "o", "dest"),
    "images": ("n-images", "number"),
    "databases": ("datasets", "dataset", "database"),
    "networks": ("models", "nets", "network"),
    "against": ("reference", "baseline"),
    # commands
    "prepare": ("preprocess", "extract", "preprocessing"),
    "train": ("fit",),
    "study": ("cv", "cross-validate", "crossval", "benchmark"),
    "evaluate": ("eval", "test", "validate"),
    "predict": ("infer", "inference", "detect", "recognise", "recognize", "classify", "apply", "spot"),
    "live": ("webcam", "camera", "stream", "realtime"),
    "explain": ("gradcam", "grad-cam", "interpret", "saliency"),
    "report": ("html", "page"),
    "show": ("view", "visualise", "visualize", "draw"),
    "export": ("convert", "onnx"),
    "synthesize": ("synthesise", "generate", "fake"),
    "select": ("tune", "grid-search", "gridsearch"),
}
"""Name in learnet -> what other programs and papers call it. A word may stand for several names: those among
the names that are known in that place count, in this order."""

LEAST_ALIKE = 0.65  # ratio of `difflib` from which a name is suggested
SHORT = (
    4  # letters; a shorter name suggests only names of its own length, one of four also of one more or less
)


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the known name that was probably meant; empty if there is none.

    Args:
        name: as it was written; leading hyphens of an option do not count.
        known: names that would be accepted.
    """
    by_form = {_form(each): each for each in sorted(known)}
    form = _form(name)
    if form in by_form:
        return by_form[form]
    for current, others in OTHER_NAMES.items():
        if _form(current) in by_form and form in map(_form, others):
            return by_form[_form(current)]
    # Few letters resemble parts of many names: `bs` those of `jobs`.
    most = len(form) // 3 if len(form) <= SHORT else max(map(len, by_form), default=0)
    alike = [each for each in by_form if abs(len(each) - len(form)) <= most]
    nearest = difflib.get_close_matches(form, alike, n=1, cutoff=LEAST_ALIKE)
    return by_form[nearest[0]] if nearest else ""


def _form(name: str) -> str:
    """Return a name without case, hyphens, underscores, dots and blanks. Other signs tell databases apart."""
    return re.sub(r"[\s._-]", "", unicodedata.normalize("NFKC", name).casefold())
