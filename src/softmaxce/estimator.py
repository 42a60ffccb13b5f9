"""SoftmaxClassifier: fit, predict and predict_proba, with scikit-learn's conventions."""


class SoftmaxClassifier:
    """To come in this branch."""
