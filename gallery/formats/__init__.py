"""Annotation files and folders to records. Django-free; one format a module."""

from gallery.formats import (
    chinese_clip,
    chinese_clip_lmdb,
    coco,
    compcars,
    cuhk_pedes,
    drawn,
    flickr8k_cn,
    folder,
    folder_per_class,
    image_matrix,
    reid_pickles,
    synth_pedes,
    video,
)
from gallery.formats.records import Format

FORMATS: dict[str, Format] = {
    "folder": folder.FORMAT,
    "video": video.FORMAT,
    "cuhk_pedes": cuhk_pedes.FORMAT,
    "synth_pedes": synth_pedes.FORMAT,
    "chinese_clip": chinese_clip.FORMAT,
    "chinese_clip_lmdb": chinese_clip_lmdb.FORMAT,
    "flickr8k_cn": flickr8k_cn.FORMAT,
    "folder_per_class": folder_per_class.FORMAT,
    "coco": coco.FORMAT,
    "reid_pickles": reid_pickles.FORMAT,
    "compcars": compcars.FORMAT,
    "image_matrix": image_matrix.FORMAT,
    "drawn": drawn.FORMAT,
}
