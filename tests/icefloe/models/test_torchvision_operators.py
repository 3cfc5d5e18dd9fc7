import subprocess
import sys


def test_torchvision_can_be_imported_after_the_models_room_whether_or_not_its_operators_were_there():
    code = (
        "import importlib\n"
        "from icefloe.models import _torchvision\n"
        "first = _torchvision._library\n"  # its definitions live as long as it does
        "importlib.reload(_torchvision)\n"
        "import torch, torchvision\n"
        "assert hasattr(torch.ops.torchvision, 'nms') and hasattr(torch.ops.torchvision, 'qnms')\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
