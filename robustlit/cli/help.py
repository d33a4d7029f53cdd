"""The help texts, written without importing anything that takes time."""

from collections.abc import Iterable

from robustlit.cli.config import config_dir
from robustlit.cli.suggest import groups

__all__ = ["COMMANDS", "command_help", "overview"]

COMMANDS = {
    "train": "train a model and watch its robustness in TensorBoard",
    "evaluate": "test the weights of a run, or any model: clean, corrupted, on published sets",
    "report": "write what breaks a model as a page; compare runs and sweeps",
    "corrupt": "write a corrupted copy of a data set, as CIFAR-10-C and ImageNet-C are",
    "explain": "draw what a model looks at in some pictures",
    "tensorboard": "serve runs in the browser, on this machine only",
    "version": "print the versions that a bug report needs",
}

METHODS = (
    "cam",
    "deconvnet",
    "eigen_cam",
    "grad_cam",
    "grad_cam_pp",
    "gradient_x_input",
    "guided_backprop",
    "hires_cam",
    "integrated_gradients",
    "layer_cam",
    "occlusion",
    "saliency",
    "score_cam",
    "smooth_grad",
)  # a test compares them with the exports, which would import torch

_TRAIN = """\
usage: robustlit train [experiment=NAME] [GROUP=OPTION …] [KEY=VALUE …] [-m]
       robustlit train resume=RUN [trainer.KEY=VALUE …] [data.path=PATH] [data.num_workers=N]
       robustlit train resume=SWEEP [sweep=NAME] [jobs.at_once=N]

Trains a model. A configuration is put together from one option of each group and may be changed key by key.

examples
  robustlit train experiment=quickstart
  robustlit train experiment=cifar10_resnet18 data.path=cifar10.npz
  robustlit train data=image_folder data.path=photos model=resnet18 trainer.max_epochs=20
  robustlit train experiment=quickstart augmentation=[patch_gaussian] task.optimizer.lr=0.05
  robustlit train -m experiment=quickstart augmentation=none,patch_gaussian seed=0,1,2 sweep=joblib
  robustlit train experiment=cifar10_pgd data.path=cifar10.npz size=cpu
  robustlit train resume=runs/quickstart/2026-01-31_12-00-00

groups (lists are written [a,b] and grow by +GROUP=OPTION)
{groups}

keys used most
  seed=0                       seed of weights, order, augmentation and dropout
  run_name=NAME                the folder below runs/; the experiment's name unless given
  resume=RUN                   continue a run in its folder, from its last checkpoint; or a sweep, where it stopped
  size=cpu                     an experiment at a size that a CPU trains in minutes
  sweep=joblib                 the jobs of a sweep together on this machine; slurm, ray, and optuna for a search
  jobs.at_once=N               how many of them: one a GPU, or one a core, unless given
  deterministic=true           bit-identical weights on a GPU too
  trainer.max_epochs=N         trainer.accelerator=cpu  trainer.devices=2  trainer.precision=bf16-mixed
  data.path=PATH               data.batch_size=128  data.num_workers=4
  task.optimizer.lr=0.1        callbacks.NAME=null switches a callback off

flags
  -m, --multirun               a sweep: one run for every combination of the values given with commas
  --cfg job                    print the composed configuration and stop
  --config-dir FOLDER          look for further options in your own folder (first or last on the line)
  -h, --help                   this text

A run leaves runs/NAME/TIME/ with config.yaml, versions.json, checkpoints/, metrics.csv, results.json and TensorBoard's
events. Wrong input ends with one line and exit code 2; HYDRA_FULL_ERROR=1 shows where.
"""

_EVALUATE = """\
usage: robustlit evaluate RUN [KEY=VALUE …] [--fail-under KEY=VALUE …] [--fail-over KEY=VALUE …]
       robustlit evaluate model=NAME data=NAME model.weights=FILE [KEY=VALUE …] [--fail-under KEY=VALUE …]

Tests the weights of a run, or a model that no run has trained, and prints the tables. Nothing is trained. Results, CSV
and pictures go to RUN/evaluations/, or to runs/evaluate/MODEL_DATA/TIME/ where there is no run.

examples
  robustlit evaluate runs/quickstart/2026-01-31_12-00-00
  robustlit evaluate runs/quickstart/2026-01-31_12-00-00 checkpoint=last splits=[iid] evaluation=[clean,corruptions]
  robustlit evaluate runs/cifar/TIME evaluation=[clean,published] evaluation.published.path=CIFAR-10-C
  robustlit evaluate runs/cifar/TIME evaluation=[corruptions] --fail-under common/accuracy=0.6
  robustlit evaluate model=torchvision model.name=resnet50 model.weights=resnet50.pth data=image_folder \\
      data.path=imagenet/val evaluation=[clean,corruptions] evaluation.corruptions.images=5000
  robustlit evaluate model=own model._target_=my_package.Net checkpoint=mine.pth data=image_folder data.path=photos \\
      evaluation=[clean,transfer] evaluation.transfer.data=drawings evaluation.transfer.mapping=classes.csv

keys
  checkpoint=best_clean        best_clean, best_robust, last, or the path of a checkpoint or state dict
  splits=null                  names of the splits to use, val being one; all test splits when null
  evaluation=[clean]           the tests to run: {evaluations}
  trainer.accelerator=auto     where to run; trainer.precision=32-true
  data.batch_size=null         another batch size, data.path=PATH another place of the same data
  out=null                     without a run: the folder of the results

thresholds (exit code 1 and a line on stderr for each figure that misses one)
  --fail-under KEY=VALUE       KEY is [SPLIT/]TEST/METRIC as in the results, such as common/accuracy, iid/bar/accuracy,
                               common/accuracy/fog or common/accuracy/fog/3; a figure that is not there fails too
  --fail-over KEY=VALUE        the same for errors: common/mean_corruption_error, common/calibration_error, clean/loss
"""

_REPORT = """\
usage: robustlit report RUN … [KEY=VALUE …]
       robustlit report SWEEP --watch

Writes what breaks a model, in sentences, tables, charts and pictures: one HTML page that needs no network, Markdown,
and every figure as CSV. Several runs, or the folder of a sweep, are compared: means over seeds, differences on the same
images, what was not measured alike.

examples
  robustlit report runs/quickstart/2026-01-31_12-00-00
  robustlit report runs/quickstart/sweep-2026-01-31_12-00-00 out=comparison
  robustlit report runs/a/TIME runs/b/TIME formats=[html]

keys
  out=null                     folder of report.html, report.md and report.csv; that of the first run when null
  formats=[html,markdown,csv]  what is written
  checkpoint=null              best_robust, best_clean or last; the weights with the most tests when null
  split=null                   the test split that sentences are about; the one with the most figures when null

flags
  --watch                      a live table of a sweep in the terminal, until its last job has ended
"""

_CORRUPT = """\
usage: robustlit corrupt IN OUT [--corruption NAME …] [--family NAME …] [--severity 1,2,3,4,5] [OPTION …]

Writes a corrupted copy of a data set in a published layout. The same line again goes on where it stopped.

  IN                  a folder of pictures of one split (its tree is kept below OUT/CORRUPTION/SEVERITY/; masks/ beside
                      images/ is copied), or an .npz file (OUT/CORRUPTION.npy and labels.npy, of its test split)
  OUT                 the folder to write; provenance.json in it says how the set was made

examples
  robustlit corrupt cifar10.npz cifar10-c --family common
  robustlit corrupt imagenet/val imagenet-c --family common --resize 256 --crop 224 --frost imagecorruptions
  robustlit corrupt camvid/val camvid-c --corruption fog --corruption snow --severity 1,3,5 --format png

options
  --corruption NAME   a corruption, or a function of yours as module:function; may be given again
  --family NAME       common, extra, bar_imagenet or bar_cifar; may be given again
  --severity 1,2,3    the severities (default: all five)
  --preset auto       the published parameters: imagenet, tiny, cifar, or auto by the size of the pictures
  --seed 0            draws depend on it, the corruption, the severity and the picture's place in sorted order
  --format FORMAT     npy for an .npz file; jpeg85 (the default, as ImageNet-C is stored) or png for pictures
  --frost SOURCE      textures of frost: procedural (the default; written as frost_procedural), imagecorruptions (those
                      of the installed package), or a folder that has them
  --resize 256        shorter side that pictures are resized to before
  --crop 224          side of the square cut from their middle after that
  --batch-size 64     pictures corrupted at a time
"""

_EXPLAIN = """\
usage: robustlit explain RUN PICTURE … [KEY=VALUE …]
       robustlit explain model=NAME PICTURE … [model.weights=FILE] [KEY=VALUE …]

Draws what a model looks at in some pictures, and what it says of them, and writes that as one picture. PICTURE is a
file or a folder of files.

examples
  robustlit explain runs/quickstart/2026-01-31_12-00-00 cat.png dog.jpg
  robustlit explain runs/camvid/TIME street.png methods=[grad_cam] layer=[network.bottom,network.up.3] target=car
  robustlit explain model=torchvision model.name=resnet50 model.weights=DEFAULT cat.jpg methods=[smooth_grad,layer_cam]
  robustlit explain model=resnet18 checkpoint=mine.pth class_names=[cat,dog] pets/ out=pets.png

keys
  methods=[saliency,grad_cam]  {methods}
  layer=null                   of the CAM family, by name; chosen automatically when null; several as [A,B]
  target=null                  the class explained, by name or number; the predicted one when null
  image_size=null              cut pictures to squares of so many pixels; as the run's validation images when null
  checkpoint=best_clean        of a run: best_clean, best_robust, last, or a path; of a model: a file of weights
  out=null                     the picture to write; explain.png when null
"""

_TENSORBOARD = """\
usage: robustlit tensorboard [RUNS] [--port PORT]

Serves a run, or every run below a folder, at http://127.0.0.1:PORT/ until Ctrl-C.

  RUNS           a run folder or a folder of runs (default: runs)
  --port PORT    the port (default: 6006, or a free one when that is taken)
"""

_VERSION = """\
usage: robustlit version

Prints the versions of robustlit, Python and the libraries it stands on.
"""


def overview() -> str:
    """Return the text of ``robustlit --help``."""
    lines = [f"  {name:<13} {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        [
            "usage: robustlit COMMAND …",
            "",
            "Robustness inside the training run: train, attack, corrupt and explain image models, live in TensorBoard.",
            "",
            "commands",
            *lines,
            "",
            "start with",
            "  robustlit train experiment=quickstart",
            "  robustlit tensorboard runs",
            "",
            "'robustlit COMMAND --help' lists the options and examples of a command.",
        ]
    )


def command_help(name: str) -> str:
    """Return the text of ``robustlit NAME --help``."""
    if name == "train":
        options = groups(config_dir())
        lines = [_wrapped(group, names) for group, names in options.items()]
        return _TRAIN.format(groups="\n".join(lines)).rstrip()
    if name == "evaluate":
        return _EVALUATE.format(evaluations=_wrapped_names(groups(config_dir()).get("evaluation", []), 51)).rstrip()
    if name == "explain":
        return _EXPLAIN.format(methods=_wrapped_names(METHODS)).rstrip()
    return {"report": _REPORT, "corrupt": _CORRUPT, "tensorboard": _TENSORBOARD, "version": _VERSION}[name].rstrip()


def _wrapped_names(names: Iterable[str], used: int = 31) -> str:
    """Return names in lines that fit, the first of which has so many columns already."""
    import textwrap

    return textwrap.fill(", ".join(names), 118, initial_indent=" " * used, subsequent_indent=" " * 31).strip()


def _wrapped(group: str, names: list[str]) -> str:
    import textwrap

    return textwrap.fill(" ".join(names), 118, initial_indent=f"  {group:<14}", subsequent_indent=" " * 16)
