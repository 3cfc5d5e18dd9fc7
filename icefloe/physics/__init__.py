"""Measurements of crystals in masks: centre, area, fronts, curvature, rates."""
