"""What all studies share: images, trainings, scores, figures, pages."""
