"""Write the shipped weights as ONNX files beside the safetensors files, from which studies start.

    python scripts/export_weights.py

The same version of PyTorch gives the same bytes. `agreement` is left out of the files, because its last
digits depend on the processor; `export_onnx` has checked it.
"""

from pathlib import Path

import onnx

from learnet.core.files import write_atomically
from learnet.inference.onnx_export import export_onnx
from learnet.inference.onnx_file import CHECKSUM_KEY, add_checksum
from learnet.training.pretrained import FOLDER


def export(weights: Path, out: Path) -> None:
    """Write one checkpoint as an ONNX file."""
    export_onnx(weights, out)
    model = onnx.load(out)
    kept = [entry for entry in model.metadata_props if entry.key not in ("agreement", CHECKSUM_KEY)]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    write_atomically(out, add_checksum(model.SerializeToString(deterministic=True)))


def main() -> None:
    """Export all shipped weights."""
    for weights in sorted(FOLDER.glob("*.safetensors")):
        out = weights.with_suffix(".onnx")
        export(weights, out)
        print(f"{out.name}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
