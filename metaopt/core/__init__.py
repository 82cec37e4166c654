"""What every room uses; knows none of them."""
