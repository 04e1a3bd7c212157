"""L5: what test files are made of: suites, and the search as a test of one's own."""

from gradcheck.surfaces.report import assert_passes as assert_passes
from gradcheck.testing.search_test import search_test as search_test
from gradcheck.testing.suite import ModuleSuite as ModuleSuite
