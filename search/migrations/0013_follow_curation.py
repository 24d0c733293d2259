from django.db import migrations

# A vector is one of the pixels inside a box, and repeats what the picture says of camera and time.
# Boxes are moved and pictures corrected on pages, in the administration and by hand: only the
# database sees all of it. A box whose bounds change waits for a vector again.
TRIGGERS = """
CREATE FUNCTION search_forget_vectors() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM search_embedding WHERE box_id = NEW.id;
    RETURN NULL;
END $$;

CREATE FUNCTION search_follow_image() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE search_embedding SET camera_id = NEW.camera_id, taken_at = NEW.taken_at
    WHERE box_id IN (SELECT id FROM gallery_box WHERE image_id = NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER gallery_box_reshaped AFTER UPDATE OF image_id, "left", top, "right", bottom
ON gallery_box FOR EACH ROW WHEN (
    (OLD.image_id, OLD."left", OLD.top, OLD."right", OLD.bottom)
    IS DISTINCT FROM (NEW.image_id, NEW."left", NEW.top, NEW."right", NEW.bottom)
) EXECUTE FUNCTION search_forget_vectors();

CREATE TRIGGER gallery_image_corrected AFTER UPDATE OF camera_id, taken_at
ON gallery_image FOR EACH ROW WHEN (
    (OLD.camera_id, OLD.taken_at) IS DISTINCT FROM (NEW.camera_id, NEW.taken_at)
) EXECUTE FUNCTION search_follow_image();
"""

NO_TRIGGERS = """
DROP TRIGGER gallery_image_corrected ON gallery_image;
DROP TRIGGER gallery_box_reshaped ON gallery_box;
DROP FUNCTION search_follow_image();
DROP FUNCTION search_forget_vectors();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("gallery", "0005_changes"),
        ("search", "0012_finding_sent_by"),
    ]

    operations = [migrations.RunSQL(TRIGGERS, NO_TRIGGERS)]
