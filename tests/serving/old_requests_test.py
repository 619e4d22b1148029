"""Bounds of exports that make lines and counts of scalars."""
from pgak.serving import old_requests


def test_bounds_of_an_export_and_of_one_by_version_0_4():
  metadata = {'max_count': 10, 'signatures': {'encode': {
      'bounds': {'batch': [0, 7]}}}}
  assert old_requests.bounds(metadata, 'encode') == {'batch': [0, 7]}
  assert old_requests.bounds(metadata, 'interpolate') == {
      'steps': [2, 10], 'batch * steps': [0, 10]}
  assert old_requests.bounds({'max_count': 10}, 'sample_latents') == {
      'count': [0, 1000]}
  assert old_requests.bounds({'max_count': 10}, 'decode') == {}
