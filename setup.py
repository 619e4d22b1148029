"""Packages pgak: the library, the binaries' mains and the gin files.

In a wheel the binaries are `pgak/bin` and the gin files `pgak/gin`; a top-level
`gin` would merge into gin-config's own package.
"""
import pathlib
import runpy

import setuptools

HERE = pathlib.Path(__file__).resolve().parent

INSTALL_REQUIRES = [
    'absl-py>=2.1',
    'gin-config~=0.5',
    'h5py>=3.10',
    'importlib_resources>=6',  # imported by TFDS, but not required by it
    'jinja2~=3.1',
    'keras~=3.15',
    'keras-cv~=0.9',
    'matplotlib~=3.9',
    'numpy>=1.26',
    'pillow>=11.3',  # the first whose wheels read AVIF
    'protobuf>=6.31',
    'scikit-learn~=1.5',
    'scipy~=1.13',
    'tensorboard~=2.20',
    'tensorflow~=2.21',
    'tensorflow-datasets~=4.9.10',
    'tensorflow-probability[tf]~=0.25',
    'threadpoolctl>=3.1',
    'tqdm>=4.66',
]

FORMATS_REQUIRE = {
    'onnx': ['onnxruntime~=1.20', 'tf2onnx~=1.17'],
    'tflite': ['ai-edge-litert~=2.1'],
}
# The site of `make docs`, which a test builds.
DOCS_REQUIRE = ['mkdocs~=1.6', 'mkdocstrings[python]~=1.0']
SEARCH_REQUIRE = ['optuna~=5.0']

EXTRAS_REQUIRE = {
    'demo': ['gradio~=6.0'],
    'docs': DOCS_REQUIRE,
    'gpu': ['tensorflow[and-cuda]~=2.21'],
    'search': SEARCH_REQUIRE,
    'serving': ['tensorflow-serving-api~=2.21'],
    **FORMATS_REQUIRE,
    'test': [*DOCS_REQUIRE, *FORMATS_REQUIRE['onnx'],
             *FORMATS_REQUIRE['tflite'], *SEARCH_REQUIRE, 'ipykernel>=6',
             'mypy~=2.4.0',
             'nbclient~=0.10', 'nbformat~=5.10', 'packaging', 'pytest>=8',
             'pytest-cov>=6', 'pytest-randomly>=3.16', 'pytest-xdist~=3.6',
             'pyyaml>=6', 'ruff~=0.17.0', 'setuptools'],
}

VERBS = ('train', 'evaluate', 'compare', 'sample', 'encode', 'export', 'pack',
         'report', 'sweep', 'list', 'demo')

setuptools.setup(
    name='pgak',
    version=runpy.run_path(str(HERE / 'pgak' / 'version.py'))['__version__'],
    description='Autoencoders as generative models, in Keras',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    classifiers=[
        'Intended Audience :: Science/Research',
        'Programming Language :: Python :: 3',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    keywords='tensorflow keras autoencoder generative-model vae fid',
    python_requires='>=3.11',
    install_requires=INSTALL_REQUIRES,
    extras_require=EXTRAS_REQUIRE,
    packages=[
        *setuptools.find_packages(include=['pgak', 'pgak.*']),
        'pgak.bin',
        'pgak.gin',
    ],
    package_dir={'pgak.bin': 'bin', 'pgak.gin': 'gin'},
    package_data={
        '': ['*.json', '*.npz', 'py.typed'],
        'pgak.gin': ['**/*.gin', '**/*.sweep'],
        'pgak.reporting': ['templates/*'],
    },
    entry_points={
        'console_scripts': [
            f'pgak_{verb} = pgak.bin.{verb}:run' for verb in VERBS],
    },
    zip_safe=False,
)
