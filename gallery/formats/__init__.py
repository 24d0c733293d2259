"""Annotation files and folders to records. Django-free; one format a module."""

from gallery.formats import cuhk_pedes, drawn, folder, synth_pedes, video
from gallery.formats.records import Format

FORMATS: dict[str, Format] = {
    "folder": folder.FORMAT,
    "video": video.FORMAT,
    "cuhk_pedes": cuhk_pedes.FORMAT,
    "synth_pedes": synth_pedes.FORMAT,
    "drawn": drawn.FORMAT,
}
