from gallery.checks import detector_of_pages


def ids(settings, spec):
    settings.PEDSITE_DETECTOR = str(spec)
    return [error.id for error in detector_of_pages(None)]


def test_the_detector_of_pages_may_be_hog_or_a_file_but_no_folder(settings, tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"")
    assert ids(settings, "hog") == []
    assert ids(settings, tmp_path / "a.onnx") == []
    assert ids(settings, tmp_path) == ["gallery.E001"]
    assert ids(settings, tmp_path / "missing.onnx") == ["gallery.E002"]
