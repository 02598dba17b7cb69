"""The command that exports weights."""

from pathlib import Path
from typing import Literal

from learnet.cli import console
from learnet.cli.app import STUDIES, app
from learnet.core.output_checks import ONNX, check_outputs


@app.command(group=STUDIES)
def export(
    weights: Path,
    out: Path,
    /,
    *,
    precision: Literal["float32", "float16", "int8"] = "float32",
    images: Path | None = None,
    opset: int = 18,
) -> None:
    """Export weights to ONNX, which runs without torch. The file is compared with torch before it is kept.

    Parameters
    ----------
    weights
        Checkpoint of `learnet train` or of a fold.
    out
        File to write (.onnx).
    precision
        Precision: float32, float16 (half the size) or int8 (a quarter; needs --images). The agreement of the
        last two with float32 is measured, printed and stored in the file.
    images
        Prepared folder for the comparison; by default only random images are compared.
    opset
        Version of the ONNX operator set; later versions than 18 need a recent onnxruntime.
    """
    from learnet.inference.onnx_export import export_onnx

    check_outputs([(out, ONNX)], [weights])
    exported = export_onnx(weights, out, precision, images, opset)
    rows = []
    for agreement in exported.agreements:
        images_text = f"{agreement.images} {agreement.kind}"
        errors = [f"{agreement.logits:.2g}", f"{agreement.probabilities:.2g}"]
        rows.append([images_text, *errors, f"{agreement.labels:.3f}"])
    title = f"{precision}, opset {exported.opset}, {exported.size_bytes / 1e6:.3g} MB: compared with torch"
    console.table(
        title, ["images", "difference of logits", "difference of probabilities", "same label"], rows
    )
    if images is None:
        console.out.print("Only random images were compared; use --images PREPARED to compare on others.")
    console.paths(out)
