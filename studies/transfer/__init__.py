"""What pre-trained weights are worth in labels: Baskaran et al. 2022, figure 6."""
