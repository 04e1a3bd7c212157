"""The pytest plugin: registered modules become test items, marked functions, suites and a fixture verify the rest.

pytest loads this package at every start of every project that has gradcheck installed, so its files import nothing but
pytest; the engine is imported once there is something to verify.
"""

from gradcheck.plugins.pytest_plugin.collecting import pytest_collect_file as pytest_collect_file
from gradcheck.plugins.pytest_plugin.collecting import pytest_collection as pytest_collection
from gradcheck.plugins.pytest_plugin.collecting import pytest_collection_modifyitems as pytest_collection_modifyitems
from gradcheck.plugins.pytest_plugin.collecting import pytest_pycollect_makeitem as pytest_pycollect_makeitem
from gradcheck.plugins.pytest_plugin.options import pytest_addoption as pytest_addoption
from gradcheck.plugins.pytest_plugin.options import pytest_configure as pytest_configure
from gradcheck.plugins.pytest_plugin.recording import pytest_runtest_makereport as pytest_runtest_makereport
from gradcheck.plugins.pytest_plugin.summary import pytest_sessionstart as pytest_sessionstart
from gradcheck.plugins.pytest_plugin.verifying import gradcheck_fixture as gradcheck_fixture
from gradcheck.plugins.pytest_plugin.verifying import pytest_pyfunc_call as pytest_pyfunc_call
