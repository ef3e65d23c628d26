"""What BERT was trained with, and what can be trained on its vectors."""
