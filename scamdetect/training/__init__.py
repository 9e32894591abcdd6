"""Training and evaluation; everything here may import scikit-learn, nothing below may."""
