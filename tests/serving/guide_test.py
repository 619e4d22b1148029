"""The operator's guide: its files are what a server and Kubernetes read."""
import importlib.util
import pathlib
import re
import shlex

from google.protobuf import descriptor_pb2
from google.protobuf import descriptor_pool
from google.protobuf import message_factory
from google.protobuf import text_format
from google.protobuf import wrappers_pb2
import pytest
import tiny_models
import yaml

from pgak.serving import formats

ROOT = pathlib.Path(__file__).absolute().parent.parent.parent
GUIDE = ROOT / 'docs' / 'serving'

# Fields of TensorFlow Serving's messages, by their numbers there; a type that
# begins with `.` is another message, `*` stands for any number.
MESSAGES = {
    'BatchingParameters': {
        'max_batch_size': (1, '.google.protobuf.Int64Value'),
        'batch_timeout_micros': (2, '.google.protobuf.Int64Value'),
        'max_enqueued_batches': (3, '.google.protobuf.Int64Value'),
        'num_batch_threads': (4, '.google.protobuf.Int64Value'),
        'allowed_batch_sizes': (6, '*int64'),
        'enable_large_batch_splitting': (8, '.google.protobuf.BoolValue'),
        'max_execution_batch_size': (9, '.google.protobuf.Int64Value')},
    'MonitoringConfig': {'prometheus_config': (1, '.PrometheusConfig')},
    'PrometheusConfig': {'enable': (1, 'bool'), 'path': (2, 'string')},
    'ModelServerConfig': {'model_config_list': (1, '.ModelConfigList')},
    'ModelConfigList': {'config': (1, '*.ModelConfig')},
    'ModelConfig': {
        'name': (1, 'string'), 'base_path': (2, 'string'),
        'model_platform': (4, 'string'),
        'model_version_policy': (7, '.VersionPolicy'),
        'version_labels': (8, '*.Label')},
    'VersionPolicy': {'specific': (102, '.Specific')},
    'Specific': {'versions': (1, '*int64')},
    'Label': {'key': (1, 'string'), 'value': (2, 'int64')},
}


def _pool():
  """Returns the messages as protobuf classes, by name."""
  file = descriptor_pb2.FileDescriptorProto(
      name='server.proto', syntax='proto3',
      dependency=[wrappers_pb2.DESCRIPTOR.name])
  field_type = descriptor_pb2.FieldDescriptorProto
  for name, fields in MESSAGES.items():
    message = file.message_type.add(name=name)
    for field, (number, kind) in fields.items():
      made = message.field.add(name=field, number=number)
      made.label = (field_type.LABEL_REPEATED if kind[0] == '*'
                    else field_type.LABEL_OPTIONAL)
      kind = kind.removeprefix('*')
      if kind[0] == '.':
        made.type, made.type_name = field_type.TYPE_MESSAGE, kind
      else:
        made.type = getattr(field_type, f'TYPE_{kind.upper()}')
  pool = descriptor_pool.DescriptorPool()
  pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
  pool.Add(file)
  return {name: message_factory.GetMessageClass(
      pool.FindMessageTypeByName(name)) for name in MESSAGES}


def parsed(file, message):
  return text_format.Parse((GUIDE / file).read_text(), _pool()[message]())


def test_batches_stay_within_what_an_export_takes():
  batching = parsed('batching.config', 'BatchingParameters')
  # `max_batch` of an export of small images.
  assert batching.max_batch_size.value <= 1024
  assert batching.enable_large_batch_splitting.value
  assert 0 < batching.max_execution_batch_size.value <= (
      batching.max_batch_size.value)
  # They pad, which only a graph compiled by XLA needs.
  assert not batching.allowed_batch_sizes
  assert batching.num_batch_threads.value and batching.batch_timeout_micros


def test_labels_are_of_versions_that_are_served():
  (model,) = parsed('models.config', 'ModelServerConfig'
                    ).model_config_list.config
  served = set(model.model_version_policy.specific.versions)
  assert {label.value for label in model.version_labels} == served
  assert {label.key for label in model.version_labels} == {'stable', 'canary'}
  assert model.base_path == f'/models/{model.name}'


def test_counters_are_where_the_deployment_says():
  monitoring = parsed('monitoring.config', 'MonitoringConfig')
  assert monitoring.prometheus_config.enable
  template = _documents()[0]['spec']['template']
  assert (template['metadata']['annotations']['prometheus.io/path']
          == monitoring.prometheus_config.path)


def _documents():
  return list(yaml.safe_load_all((GUIDE / 'deployment.yaml').read_text()))


def test_the_deployment():
  deployment, service = _documents()
  assert (deployment['kind'], service['kind']) == ('Deployment', 'Service')
  labels = deployment['spec']['template']['metadata']['labels']
  assert deployment['spec']['selector']['matchLabels'] == labels
  assert service['spec']['selector'] == labels
  pod = deployment['spec']['template']['spec']
  (server,) = pod['containers']
  # Neither a shell nor the image's script stands between it and SIGTERM.
  assert server['command'][0] == 'tensorflow_model_server'
  sleep = server['lifecycle']['preStop']['exec']['command']
  assert int(sleep[1]) < pod['terminationGracePeriodSeconds'] <= 60
  for probe in ('startupProbe', 'readinessProbe', 'livenessProbe'):
    assert server[probe]['tcpSocket'] == {'port': 'grpc'}
  assert set(server['resources']['limits']) >= {'cpu', 'memory'}
  assert pod['securityContext']['runAsNonRoot']
  ports = {p['name']: p['containerPort'] for p in server['ports']}
  flags = dict(f.removeprefix('--').split('=') for f in server['command'][1:])
  assert (int(flags['port']), int(flags['rest_api_port'])) == (
      ports['grpc'], ports['rest'])
  for file in (f for f in flags.values() if f.startswith('/config/')):
    assert (GUIDE / pathlib.Path(file).name).is_file()
  mounts = {m['name'] for m in server['volumeMounts']}
  assert mounts == {v['name'] for v in pod['volumes']}
  cores = int(server['resources']['limits']['cpu'])
  batching = parsed('batching.config', 'BatchingParameters')
  assert batching.num_batch_threads.value <= cores


@pytest.mark.parametrize('page', sorted(GUIDE.glob('*.md')),
                         ids=lambda p: p.stem)
def test_the_pages(page):
  text = page.read_text(encoding='utf-8')
  # What needs a server says so; each such block is a shell's.
  marked = re.findall(r'^`not run here: [\w, ]+`\n\n```(\w+)$', text, re.M)
  assert marked == ['console'] * text.count('```console')
  for block in re.findall(r'^```console\n(.*?)^```$', text, re.M | re.S):
    for command in block.replace('\\\n', ' ').split('\n$ '):
      assert shlex.split(command.removeprefix('$ '), comments=False)
  for link in re.findall(r'\]\(([^)#:]+)\)', text):
    assert (page.parent / link).exists(), link
  images = set(re.findall(r'tensorflow/serving:[\w.-]+', text))
  version = 'tensorflow/serving:2.20.0'
  assert images <= {version, f'{version}-gpu'}
  for config in re.findall(r'/config/([\w.]+)', text):
    assert (page.parent / config).exists()


def test_the_grpc_client():
  pytest.importorskip('tensorflow_serving.apis')
  spec = importlib.util.spec_from_file_location(
      'grpc_client', GUIDE / 'grpc_client.py')
  client = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(client)
  request = client.request('digits', [1, -2])
  assert request.model_spec.signature_name == 'generate'
  seeds = request.inputs['seed']
  assert (list(seeds.int64_val) or seeds.tensor_content)
  # 341 images fit into gRPC's own limit, 342 do not.
  assert 341 * 64 * 64 * 3 <= 4 << 20 < 342 * 64 * 64 * 3


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize('name,module', [('onnx', 'onnxruntime'),
                                         ('tflite', 'ai_edge_litert')])
def test_the_code_of_the_page_of_formats(
    tmp_path, monkeypatch, capsys, name, module):
  pytest.importorskip(module)
  monkeypatch.chdir(tmp_path)
  formats.write(tiny_models.make('VAE'),
                tmp_path / 'runs/digits' / name / '1', name)
  (code,) = [block for block in re.findall(
      r'^```python\n(.*?)^```$', (GUIDE / 'formats.md').read_text(),
      re.M | re.S) if module in block]
  exec(code, {})
  assert capsys.readouterr().out == 'uint8 (16, 3, 2, 1)\n'
