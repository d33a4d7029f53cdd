"""The parts of a report: each makes a section of what was measured, or nothing."""
