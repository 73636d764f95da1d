"""Found through PYTHONPATH when a Python starts: arms the tracer, then hands on to whoever else
would have been here. What is on sys.path afterwards is what would be there without."""

import sys


def arm_here(folder):
    """Arm the tracer; whatever goes wrong, the program starts."""
    sys.path[:] = [entry for entry in sys.path if entry != folder]
    try:
        sys.path.insert(0, folder)
        try:
            from gradstep_tracer import arming
        finally:
            sys.path.remove(folder)
        arming.arm()
    except Exception as problem:
        sys.stderr.write("gradstep: nothing is traced: %r\n" % (problem,))


def hand_on(folder):
    """Run the next sitecustomize of the path in the place of this one; ImportError without one."""
    from importlib import machinery, util

    spec = machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        raise ImportError("No module named 'sitecustomize'", name="sitecustomize")
    module = util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


def main():
    """Both."""
    folder = __file__.replace("\\", "/").rpartition("/")[0]
    arm_here(folder)
    hand_on(folder)


main()
