"""Tests of values that `make test-shapes` refuses earlier than the code under test."""

import os

import pytest

REFUSED_EARLIER = pytest.mark.skipif(
    os.environ.get("LEARNET_CHECK_SHAPES") == "1", reason="the check of types refuses them earlier"
)
