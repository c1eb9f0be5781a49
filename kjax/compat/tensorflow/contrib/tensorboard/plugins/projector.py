"""TensorBoard's projector: which embeddings it shows, and with which labels.

The list of them is written; the embeddings themselves are in checkpoints, which here are not TensorFlow's.
"""

from __future__ import annotations

import pathlib
from typing import Any

from kjax._core import atomic

_TEXTS = ("tensor_name", "metadata_path", "bookmarks_path", "tensor_path")


class _Sprite:
    """A picture that holds one small picture for each row."""

    def __init__(self) -> None:
        self.image_path = ""
        self.single_image_dim: list[int] = []


class EmbeddingInfo:
    """One embedding.

    Attributes:
        tensor_name: name of the variable.
        metadata_path: file with a label for each row.
        bookmarks_path, tensor_path: of other files.
        sprite: its pictures.
    """

    def __init__(self, **kwargs: str) -> None:
        self.tensor_name = self.metadata_path = self.bookmarks_path = self.tensor_path = ""
        self.sprite = _Sprite()
        vars(self).update(kwargs)

    def text(self) -> str:
        """Its lines in the list."""
        lines = [f'  {name}: "{value}"\n' for name in _TEXTS if (value := getattr(self, name))]
        if self.sprite.image_path:
            sizes = "".join(f"    single_image_dim: {int(size)}\n" for size in self.sprite.single_image_dim)
            lines.append(f'  sprite {{\n    image_path: "{self.sprite.image_path}"\n{sizes}  }}\n')
        return "embeddings {\n" + "".join(lines) + "}\n"


class _Embeddings(list[EmbeddingInfo]):
    def add(self, **kwargs: str) -> EmbeddingInfo:
        """A new one at the end."""
        self.append(EmbeddingInfo(**kwargs))
        return self[-1]


class ProjectorConfig:
    """What the projector shows.

    Attributes:
        embeddings: list of `EmbeddingInfo`, with `add()`.
    """

    def __init__(self) -> None:
        self.embeddings = _Embeddings()
        self.model_checkpoint_path = ""


def visualize_embeddings(summary_writer: Any, config: ProjectorConfig) -> None:
    """Write the list into the folder of a writer, or of this name."""
    folder = summary_writer.get_logdir() if hasattr(summary_writer, "get_logdir") else summary_writer
    text = f'model_checkpoint_path: "{config.model_checkpoint_path}"\n' if config.model_checkpoint_path else ""
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    atomic.write_text(
        pathlib.Path(folder) / "projector_config.pbtxt", text + "".join(info.text() for info in config.embeddings)
    )


__all__ = ["EmbeddingInfo", "ProjectorConfig", "visualize_embeddings"]
