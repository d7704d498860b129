"""What the whole of Assay takes while nobody uses it."""

import measuring
import memory


def test_assay_all_idles_within_its_bound(tmp_path):
    process = memory.assay_all(tmp_path)
    try:
        measuring.settle(process.popen.pid)
        figures = memory.figures_of(process.popen.pid)
    finally:
        code = process.stop()
    assert figures["rss_mb"] < memory.BOUND_MB
    assert code == 0, process.log_tail()
