"""Each part of the question by itself: shape, registers, register list, firmware, facts."""
