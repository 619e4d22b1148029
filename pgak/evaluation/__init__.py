"""Measures a trained model by a protocol and says the whole protocol.

A Frechet distance means nothing without the choices that made it: feature net,
number of samples, reference images, crop, resize, rounding, batch-norm mode,
prior. So every row of a score holds all of them, and rows with different
choices never stand in one table.

Example:

```python
run = run_directory.RunDirectory('runs/vpga')
configuration.parse_run(run)
rows = evaluation.evaluate(run.path, checkpoint='best', protocol='quick')
print(evaluation.format_table(rows))
```
"""
from pgak.evaluation.evaluator import Evaluator
from pgak.evaluation.evaluator import feature_net
from pgak.evaluation.pairs import PairEvaluator
from pgak.evaluation.runs import evaluate
from pgak.evaluation.runs import frechet_scorer
from pgak.evaluation.tables import format_table
from pgak.evaluation.vectors import VectorEvaluator

__all__ = ['Evaluator', 'PairEvaluator', 'VectorEvaluator', 'evaluate',
           'feature_net', 'format_table', 'frechet_scorer']
