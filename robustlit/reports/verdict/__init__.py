"""What breaks a model, in sentences made from its figures."""

from robustlit.reports.verdict.verdict import verdict

__all__ = ["verdict"]
