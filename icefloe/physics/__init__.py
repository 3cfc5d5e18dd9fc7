"""What a mask says about the crystal: centre, area, fronts, curvature."""
