"""Scalars of recordings as CSV: what belongs to which iteration, and cells that are safe."""

from engine.recording.scalars import Scalars, csv_of


def test_what_one_run_lacks_is_empty_in_its_row() -> None:
    a, b = Scalars("a", "main"), Scalars("=b", "main-1")
    a.put(1, "loss", float("nan"))
    b.put(2, "loss", 0.1)
    b.put(2, "optimizer.lr", 1e-30)
    a.epochs, b.epochs = {1: 1}, {2: 1}
    assert "".join(csv_of([a, b])) == (
        "run,branch,iteration,epoch,loss,optimizer.lr\na,main,1,1,NaN,\n'=b,main-1,2,1,0.1,1e-30\n"
    )
