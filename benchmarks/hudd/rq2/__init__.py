"""Does retraining with the unsafe set pay? HUDD's second research question, on tasks whose causes are known."""
