"""What pre-trained weights are worth: labelled images against quality, figure 6 of Baskaran et al. 2022."""

from icefloe.studies.transfer.design import Panel, default_panels
from icefloe.studies.transfer.result import TransferStudy
from icefloe.studies.transfer.run import run_transfer

__all__ = ["Panel", "TransferStudy", "default_panels", "run_transfer"]
