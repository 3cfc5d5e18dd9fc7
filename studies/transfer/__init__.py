"""What pre-trained weights are worth: labelled images against quality, figure 6 of Baskaran et al. 2022."""

from studies.transfer.design import Panel, default_panels
from studies.transfer.result import TransferStudy
from studies.transfer.run import run_transfer

__all__ = ["Panel", "TransferStudy", "default_panels", "run_transfer"]
